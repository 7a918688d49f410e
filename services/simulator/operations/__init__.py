"""What users and services do to the cloud: each changes the world and tells of it."""
