"""A look-alike of CloudMonitor that checks signatures with code of its own."""
