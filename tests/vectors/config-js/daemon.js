// Ours; the keys and the forms are those of the daemon's exampleConfig.js, release 0.9.
/*
  A long comment stands before the object there, with words in 'quotes', braces { } and
  examples such as

    [ { metric: 'render', bins: [ 0.01, 0.1, 1, 10, 'inf'] } ]

  globalSuffix may be computed: require('os').hostname().split('.')[0]
*/
{
  graphitePort: 2003
, graphiteHost: "graphite.example.com"
, port: 8125
, backends: [ "./backends/graphite" ]
}
