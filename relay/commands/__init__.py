"""One module a command: ``register(subparsers)`` and a handler ``(args) -> status``.

Modules import at their top only what parsing their flags needs; the rest is imported
by the handler, since every one of them is loaded for ``cms-relay --help``.
"""
