// A backend of the reference daemon: each flush as a line of JSON in the file named by
// FLUSHES, as the other backends get it.
const fs = require('fs');

exports.init = function (startupTime, config, events) {
  events.on('flush', function (timestamp, metrics) {
    const sets = {};
    for (const key in metrics.sets) sets[key] = metrics.sets[key].values();
    const { counters, gauges, timers, timer_data } = metrics;
    const line = JSON.stringify({ counters, gauges, sets, timers, timer_data });
    fs.appendFileSync(process.env.FLUSHES, line + '\n');
  });
  return true;
};
