"""SANITIZED: the tools are built for a sanitizer. Sanitizers keep freed memory on purpose, so how much a process has says nothing then."""
import os

SANITIZED = bool(os.environ.get("MXP_SANITIZE"))
