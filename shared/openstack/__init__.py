"""Asking OpenStack's APIs: configuration, tokens, endpoints, reads, paging."""
