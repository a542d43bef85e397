"""Put a metric with aliyun-python-sdk-cms and read it back; prints what came.

Arguments: host:port, unused, Time in milliseconds.
"""

import json
import sys
from typing import Any

from aliyunsdkcms.request.v20190101.DescribeCustomMetricListRequest import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    DescribeCustomMetricListRequest,
)
from aliyunsdkcms.request.v20190101.DescribeMetricListRequest import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    DescribeMetricListRequest,
)
from aliyunsdkcms.request.v20190101.PutCustomMetricRequest import PutCustomMetricRequest  # type: ignore[import-untyped,import-not-found,unused-ignore]
from aliyunsdkcore.client import AcsClient  # type: ignore[import-untyped,import-not-found,unused-ignore]
from aliyunsdkcore.http import protocol_type  # type: ignore[import-untyped,import-not-found,unused-ignore]

endpoint, _, time_ms = sys.argv[1:]
client = AcsClient("emulator", "emulator", "cn-hangzhou")


def call(request: Any) -> dict[str, Any]:
    """The answer's fields."""
    request.set_endpoint(endpoint)
    request.set_protocol_type(protocol_type.HTTP)
    answer: dict[str, Any] = json.loads(client.do_action_with_exception(request))
    return answer


put = PutCustomMetricRequest()
put.set_MetricLists(
    [
        {
            "GroupId": "0",
            "MetricName": "peer_metric",
            "Dimensions": '{"app":"a b*c~d","host":"web-1"}',
            "Type": "1",
            "Period": "60",
            "Time": time_ms,
            "Values": '{"Sum":42,"SampleCount":40}',
        }
    ]
)
code = call(put)["Code"]
lister = DescribeCustomMetricListRequest()
lister.set_MetricName("peer_metric")
reader = DescribeMetricListRequest()
reader.set_Namespace("acs_customMetric_1000000000000000")
reader.set_MetricName("peer_metric")
reader.set_Period("60")
print(
    json.dumps(
        {
            "code": code,
            "series": json.loads(call(lister)["Result"])["list"],
            "points": json.loads(call(reader)["Datapoints"]),
        }
    )
)
