// Puts a metric with @alicloud/pop-core and reads it back; prints what came.
// Arguments: host:port, GET or POST, Time in milliseconds.
const { RPCClient } = require('@alicloud/pop-core');
const [endpoint, method, time] = process.argv.slice(2);
const client = new RPCClient({
  accessKeyId: 'emulator', accessKeySecret: 'emulator',
  endpoint: `http://${endpoint}`, apiVersion: '2019-01-01',
});
async function main() {
  const put = await client.request('PutCustomMetric', {
    MetricList: [{
      GroupId: '0', MetricName: 'peer_metric', Type: '1', Period: '60', Time: time,
      Dimensions: '{"app":"a b*c~d","host":"web-1"}',
      Values: '{"Sum":42,"SampleCount":40}',
    }],
  }, { method, formatParams: false });
  const listed = await client.request(
    'DescribeCustomMetricList', { MetricName: 'peer_metric' }, { method });
  const read = await client.request('DescribeMetricList', {
    Namespace: 'acs_customMetric_1000000000000000', MetricName: 'peer_metric', Period: '60',
  }, { method });
  console.log(JSON.stringify({
    code: put.Code, series: JSON.parse(listed.Result).list, points: JSON.parse(read.Datapoints),
  }));
}
main().catch((error) => { console.error(error); process.exit(1); });
