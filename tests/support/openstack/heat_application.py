"""The real Heat API with its engine in the same process: for the Python of .deps."""

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from heat.engine import service  # noqa: E402 - it wants the backend to be chosen
from heat.rpc import api  # noqa: E402
from heat.wsgi.api import application  # noqa: E402

__all__ = ["application"]

service.EngineService("controller", api.ENGINE_TOPIC).start()
