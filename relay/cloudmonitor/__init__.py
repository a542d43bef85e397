"""The output language: CloudMonitor's names, limits, entries, signatures and answers.

Pure: time, nonce and credentials are arguments.
"""
