"""From settings to the pure rooms on the road: grammar, namer, engine.

The daemon, ``explain`` and ``replay`` are built here alike, so that what is explained
and replayed is what runs.
"""

from collections.abc import Callable

from relay.cloudmonitor.mapping import Mapper
from relay.cloudmonitor.naming import Namer
from relay.rollup.engine import Engine
from relay.rollup.engines import engine_names, engine_note, open_engine, reported_by
from relay.rollup.quota import Quota
from relay.rollup.treatment import Rules
from relay.settings import Settings
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Event

__all__ = ["build_engine", "build_grammar", "build_mapper", "build_namer"]
__all__ += ["build_rules", "engine_names", "engine_note", "listeners_note"]


def build_grammar(settings: Settings, *, events: bool = True) -> Grammar:
    """The grammar with the dialects and the meaning of signs that are set.

    Without ``events`` it ignores them, also where they are reported: nobody takes them.
    """
    return Grammar(
        settings.dialect,
        settings.signed_gauge,
        sanitises=settings.key_name_sanitize,
        events=settings.report_events and events,
        service_checks=settings.report_service_checks,
    )


def build_mapper(settings: Settings) -> Mapper | None:
    """The mapping rules at work; None where there are none."""
    return Mapper(settings.mapping.rules) if settings.mapping else None


def build_namer(settings: Settings) -> Namer:
    """Who turns a spelling into a metric name and Dimensions."""
    return Namer(
        instance=settings.instance,
        instance_key=settings.instance_key,
        first_tags=settings.first_tags,
        report_client_telemetry=settings.report_client_telemetry,
        reported=reported_by(settings.engine),
    )


def build_rules(settings: Settings, mapper: Mapper | None) -> Rules:
    """What holds for series by rule, and the quota for all of them."""
    priorities = mapper.priorities if mapper else ()
    return Rules(mapper, Quota(settings.series_quota, priorities))


def listeners_note(settings: Settings) -> str | None:
    """Why there are fewer sockets than were asked for, if there are."""
    if settings.listeners == 1:
        return None
    if "native" not in engine_names():
        why = "the native engine, which alone has threads for more, was not built"
    elif settings.repeat:
        why = "what is copied on (repeat) is read by the reactor"
    else:
        return None
    return (
        f"listeners {settings.listeners}: each UDP address has one socket, since {why}"
    )


def build_engine(
    settings: Settings,
    namer: Namer,
    rules: Rules | None = None,
    event: Callable[[Event], None] | None = None,
) -> Engine:
    """The engine that is set; ConfigError where it is not here.

    ``event`` gets the events, where they are reported; without it they are ignored.
    """
    return open_engine(
        settings.engine,
        namer,
        build_grammar(settings, events=event is not None),
        period_seconds=settings.period,
        long_factor=settings.long_factor,
        percentiles=sorted(settings.percentiles),
        series_limit=settings.series_limit,
        series_limit_per_name=settings.series_limit_per_name,
        new_series_limit=settings.new_series_limit,
        shards=1 if settings.repeat else settings.listeners,
        idle_ttl_seconds=settings.idle_ttl,
        silent_kinds=settings.delete_idle,
        gauge_ttl=settings.gauge_ttl,
        released=namer.release,
        rules=rules,
        event=event or (lambda _: None),
    )
