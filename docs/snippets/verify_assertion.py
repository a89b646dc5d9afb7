import jwt  # PyJWT[crypto]
from urllib.parse import urljoin


def assertions_of(gateway, server):
    """gateway: the publicUrl of Portcullis. server: the upstream.url of the route, or its upstream.resource."""
    keys = jwt.PyJWKClient(urljoin(gateway, "/.well-known/portcullis/jwks.json"))

    def who_asks(assertion):
        """Who asks. Raises jwt.PyJWTError for whatever isn't a valid assertion for this server."""
        return jwt.decode(
            assertion,
            keys.get_signing_key_from_jwt(assertion).key,
            issuer=gateway,
            audience=server,
            algorithms=["ES256", "EdDSA"],
            options={"require": ["sub", "iat", "exp"]},
            leeway=5,
        )

    return who_asks
