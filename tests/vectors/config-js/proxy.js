/* Ours; the keys and the forms are those of exampleProxyConfig.js, release 0.9. */
{
nodes: [
{host: '127.0.0.1', port: 8227, adminport: 8228},
{host: '127.0.0.1', port: 8229, adminport: 8230}
],
server: './servers/udp',
host:  '0.0.0.0',
port: 8125,
udp_version:'udp4',
mgmt_port: 8126,
forkCount: 0,
checkInterval: 1000,
cacheSize: 10000
}
