"""The aliyun command line that stands for a call."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from relay.commands.calls import THIS_PERIOD, as_cli


@given(st.text(st.characters(exclude_characters="\0")))
def test_a_shell_takes_each_text_for_one_word(text: str) -> None:
    """Whatever stands in it."""
    line = as_cli([{"MetricName": text}], endpoint="http://127.0.0.1:8128/")
    assert shlex.split(line) == [
        *("aliyun", "cms", "PutCustomMetric", "--endpoint", "127.0.0.1:8128"),
        *("--insecure", "--MetricList.1.MetricName", text),
    ]


def test_fields_are_those_that_are_there_in_the_vendors_order() -> None:
    """Over https the CLI needs no telling, and a time may be that of the run."""
    line = as_cli(
        [{"Values": "{}", "Dimensions": "{}"}, {"Time": THIS_PERIOD}],
        region="cn-hangzhou",
        endpoint="https://metrics.example/",
    )
    assert line == (
        "aliyun cms PutCustomMetric --region cn-hangzhou --endpoint metrics.example"
        " --MetricList.1.Dimensions '{}' --MetricList.1.Values '{}'"
        ' --MetricList.2.Time "$(($(date +%s) / 60 * 60000))"'
    )
