// Sends with statsd-client. Run as a child: use_statsd_client.js URL
const SDC = require('statsd-client');
const url = new URL(process.argv[2]);
const client = new SDC({
  host: url.hostname, port: Number(url.port), prefix: 'sc', tcp: url.protocol === 'tcp:',
});
for (let i = 0; i < 200; i++) {
  client.increment('hits', i % 3);
  client.decrement('stock', 2);
  client.gauge('level', i);
  client.gaugeDelta('depth', i % 2 ? 5 : -5);
  client.set('users', `user-${i % 17}`);
  client.timing('took', i);
  client.histogram('size', i / 4);
}
client.close();
