{
  graphitePort: 2003
, graphiteHost: "localhost"
, port: 8125
}
// Ours; the keys and the forms are those of the Debian package's localConfig.js.
