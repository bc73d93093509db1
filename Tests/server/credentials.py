"""The key pairs the stub server knows.

They are no secrets: they open nothing but this server, and the tests of every
language are handed the first pair through the environment.
"""

ACCESS_KEY = "AK-of-the-stub-server"
SECRET_KEY = "SK-of-the-stub-server"

SECOND_ACCESS_KEY = "AK-2-of-the-stub-server"
SECOND_SECRET_KEY = "SK-2-of-the-stub-server"

SECRETS = {
    ACCESS_KEY: SECRET_KEY,
    SECOND_ACCESS_KEY: SECOND_SECRET_KEY,
}
"""Secret keys by access key."""
