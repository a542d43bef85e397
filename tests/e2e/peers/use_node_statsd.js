// Sends with node-statsd. Run as a child: use_node_statsd.js URL
const StatsD = require('node-statsd');
const url = new URL(process.argv[2]);
const client = new StatsD({ host: url.hostname, port: Number(url.port), prefix: 'ns.' });
for (let i = 0; i < 200; i++) {
  client.increment('hits');
  client.decrement('stock');
  client.increment('sampled', 1, 0.25);
  client.gauge('level', i);
  client.timing('took', i);
  client.histogram('size', i / 4);
  client.set('users', `user-${i % 17}`);
}
setTimeout(() => client.close(), 300);
