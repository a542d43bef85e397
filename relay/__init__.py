"""StatsD in, Alibaba Cloud CloudMonitor out. The rooms follow the road of the data.

statsd → rollup → cloudmonitor → delivery → spool → sink; service moves the values,
app wires the rooms, cli is the door for people.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
