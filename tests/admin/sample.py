"""A status with something in every member, for the tests of the admin pages."""

from relay.admin.status import Status


def a_status() -> Status:
    """Its ledger balances."""
    return {
        "version": "1.2.3",
        "engine": "python",
        "started": 1_000_000.0,
        "listeners": [
            {
                "url": "udp://127.0.0.1:8125",
                "sockets": 1,
                "datagrams": 4000,
                "received_bytes": 5_000_000,
                "kernel_drops": 3,
                "receive_buffer": {"asked": 8_388_608, "granted": 4_194_304},
                "connections": None,
            },
            {
                "url": "udp://[::1]:8125",
                "sockets": 1,
                "datagrams": 0,
                "received_bytes": 0,
                "kernel_drops": None,
                "receive_buffer": {"asked": 8_388_608, "granted": 4_194_304},
                "connections": None,
            },
        ],
        "http": "http://127.0.0.1:8127",
        "console": "tcp://127.0.0.1:8126",
        "emulator": None,
        "ledger": {
            "lines": 120_000,
            "sections": 130_000,
            "samples": {"counter": 129_000, "gauge": 900, "set": 0},
            "refused": {"bad_value": 60, "late": 0},
            "ignored": {"event": 40},
            "duplicate_tags": 0,
            "entries": {
                "closed": 1000,
                "acked": 900,
                "partial": 20,
                "dropped": {"expired": 0, "space": 5},
                "parked": 1,
                "waiting": 74,
            },
            "requests": {"accepted": 45, "throttled": 1},
        },
        "series": 321,
        "series_quota": {"limit": 0, "refused_by_service": False},
        "overflow": {
            "prefixes": {"known": {"flood<b>": 12}, "others": 3},
            "names": {"known": {}, "others": 0},
        },
        "spool": {"entries": 74, "bytes": 20_480},
        "events": {
            "taken": 12,
            "acked": 7,
            "partial": 0,
            "dropped": {"expired": 0, "full": 2},
            "parked": 1,
            "waiting": 2,
            "requests": {"accepted": 3},
            "state": "held",
            "reason": "NoPermission: cms:PutCustomEvent <b>",
            "last_answer": None,
        },
        "sink": {
            "name": "cloudmonitor",
            "endpoint": "https://metrics.cn-hangzhou.aliyuncs.com",
            "clock_offset": 0.0,
            "state": "waiting",
            "reason": "Throttling.User",
            "last_answer": "Throttling.User",
            "last_success": 1_000_500.0,
        },
        "credentials": {
            "source": "environment",
            "key_id": "LTAI…xY",
            "expires_at": 1_004_200.0,
            "warning": None,
        },
        "configuration_hash": "0123abcd",
        "state": "/var/lib/cms-relay",
        "checkpoints": {
            "at": 1_000_590.0,
            "failures": 0,
            "last_failure": None,
            "set_aside": {"owners": "damaged, or cut short"},
        },
        "predecessor": {
            "clean": False,
            "last_checkpoint": 999_990.0,
            "gap_seconds": 10.0,
        },
        "last_reload": {
            "at": 1_000_300.0,
            "applied": False,
            "text": "period: to change that, restart",
        },
        "clock_steps": 1,
        "last_clock_step": {"at": 1_000_400.0, "seconds": -0.5},
        "collisions": {
            "count": 1,
            "latest": [
                {"metric": "a_b", "first": "counter/a.b", "second": "counter/a_b"}
            ],
        },
        "rules": {
            "count": 2,
            "never_matched": 1,
            "busiest": [{"number": 2, "match": "api.*", "spellings": 3}],
            "idle": [{"number": 1, "match": "<b>", "spellings": 0}],
        },
        "last_refusals": [{"text": "a:x|c", "reason": "bad_value"}],
    }
