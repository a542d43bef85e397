"""The input language: bytes of a datagram to samples. Pure; knows no series, no time."""
