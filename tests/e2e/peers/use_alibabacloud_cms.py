"""Put a metric with alibabacloud-cms20190101 and read it back; prints what came.

Arguments: host:port, signature_algorithm (``default`` or ``v2``), Time in milliseconds.
"""

import json
import sys

from alibabacloud_cms20190101 import models  # type: ignore[import-untyped,import-not-found,unused-ignore]
from alibabacloud_cms20190101.client import Client  # type: ignore[import-untyped,import-not-found,unused-ignore]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-untyped,import-not-found,unused-ignore]

endpoint, algorithm, time_ms = sys.argv[1:]
client = Client(
    Config(
        access_key_id="emulator",
        access_key_secret="emulator",
        region_id="cn-hangzhou",
        endpoint=endpoint,
        protocol="HTTP",
        **({} if algorithm == "default" else {"signature_algorithm": algorithm}),
    )
)
entry = models.PutCustomMetricRequestMetricList(
    group_id="0",
    metric_name="peer_metric",
    dimensions='{"app":"a b*c~d","host":"web-1"}',
    type="1",
    period="60",
    time=time_ms,
    values='{"Sum":42,"SampleCount":40}',
)
put = client.put_custom_metric(models.PutCustomMetricRequest(metric_list=[entry])).body
listed = client.describe_custom_metric_list(
    models.DescribeCustomMetricListRequest(metric_name="peer_metric")
).body
read = client.describe_metric_list(
    models.DescribeMetricListRequest(
        namespace="acs_customMetric_1000000000000000",
        metric_name="peer_metric",
        period="60",
    )
).body
print(
    json.dumps(
        {
            "code": put.code,
            "series": json.loads(listed.result)["list"],
            "points": json.loads(read.datapoints),
        }
    )
)
