// Sends with hot-shots. Run as a child: use_hot_shots.js URL
const StatsD = require('hot-shots');
const url = new URL(process.argv[2]);
const client = new StatsD({
  host: url.hostname, port: Number(url.port), prefix: 'hs.',
  protocol: url.protocol === 'tcp:' ? 'tcp' : 'udp',
  globalTags: { env: 'prod' }, maxBufferSize: url.protocol === 'tcp:' ? 0 : 1432,
});
for (let i = 0; i < 200; i++) {
  client.increment('hits', i % 3, { shard: String(i % 3) });
  client.decrement('stock', 2);
  client.increment('sampled', 1, 0.25);
  client.gauge('level', i, ['bare']);
  client.timing('took', i);
  client.histogram('size', i / 4);
  client.distribution('rpc', i / 8);
  client.set('users', `user-${i % 17}`);
}
client.event('title', 'text');
client.check('alive', client.CHECKS.OK);
client.close();
