"""One module a command: ``register(subparsers)`` and a handler ``(args) -> status``.

Each of them is imported for ``cms-relay --help``: whatever brings Twisted or requests
is imported by the handler, not by the module.
"""
