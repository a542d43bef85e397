# Made by python -m tests.deploy.write of the command line; compared by a test.
_cms_relay() {
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' words='' names='' i
    # Bash takes --flag=value for three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${COMP_WORDS[i]}" in
            ' run') command='run' ;;
            ' check') command='check' ;;
            ' explain') command='explain' ;;
            ' replay') command='replay' ;;
            ' record') command='record' ;;
            ' send') command='send' ;;
            ' plan') command='plan' ;;
            ' put') command='put' ;;
            ' emulator') command='emulator' ;;
            ' doctor') command='doctor' ;;
            ' spool') command='spool' ;;
            'spool ls') command='spool ls' ;;
            'spool verify') command='spool verify' ;;
            'spool show') command='spool show' ;;
            'spool drop') command='spool drop' ;;
        esac
    done
    case "$command $before" in
        'run --listen' | \
            'run --receive-buffer' | \
            'run --listeners' | \
            'run --connections' | \
            'run --connection-idle' | \
            'run --repeat' | \
            'run --period' | \
            'run --percentiles' | \
            'run --series-limit' | \
            'run --series-limit-per-name' | \
            'run --new-series-limit' | \
            'run --series-quota' | \
            'run --idle-ttl' | \
            'run --delete-idle' | \
            'run --gauge-ttl' | \
            'run --key-flush-interval' | \
            'run --key-flush-percent' | \
            'run --instance-key' | \
            'run --first-tags' | \
            'run --group-id' | \
            'run --series-price' | \
            'run --series-included' | \
            'run --namespace' | \
            'run --region' | \
            'run --endpoint' | \
            'run --emulator' | \
            'run --credentials-profile' | \
            'run --requests-per-second' | \
            'run --requests-in-flight' | \
            'run --request-timeout' | \
            'run --entries-per-request' | \
            'run --request-bytes' | \
            'run --send-spread' | \
            'run --uncertain-retries' | \
            'run --max-age' | \
            'run --spool-bytes' | \
            'run --event-requests-per-second' | \
            'run --event-queue-bytes' | \
            'run --checkpoint-interval' | \
            'run --http-names' | \
            'run --stop-timeout' | \
            'run --self-report-prefix' | \
            'check --listen' | \
            'check --receive-buffer' | \
            'check --listeners' | \
            'check --connections' | \
            'check --connection-idle' | \
            'check --repeat' | \
            'check --period' | \
            'check --percentiles' | \
            'check --series-limit' | \
            'check --series-limit-per-name' | \
            'check --new-series-limit' | \
            'check --series-quota' | \
            'check --idle-ttl' | \
            'check --delete-idle' | \
            'check --gauge-ttl' | \
            'check --key-flush-interval' | \
            'check --key-flush-percent' | \
            'check --instance-key' | \
            'check --first-tags' | \
            'check --group-id' | \
            'check --series-price' | \
            'check --series-included' | \
            'check --namespace' | \
            'check --region' | \
            'check --endpoint' | \
            'check --emulator' | \
            'check --credentials-profile' | \
            'check --requests-per-second' | \
            'check --requests-in-flight' | \
            'check --request-timeout' | \
            'check --entries-per-request' | \
            'check --request-bytes' | \
            'check --send-spread' | \
            'check --uncertain-retries' | \
            'check --max-age' | \
            'check --spool-bytes' | \
            'check --event-requests-per-second' | \
            'check --event-queue-bytes' | \
            'check --checkpoint-interval' | \
            'check --http-names' | \
            'check --stop-timeout' | \
            'check --self-report-prefix' | \
            'explain --percentiles' | \
            'explain --series-limit' | \
            'explain --series-limit-per-name' | \
            'explain --series-quota' | \
            'explain --instance-key' | \
            'explain --first-tags' | \
            'explain --group-id' | \
            'explain --region' | \
            'explain --endpoint' | \
            'replay --start' | \
            'replay --until' | \
            'replay --period' | \
            'replay --percentiles' | \
            'replay --series-limit' | \
            'replay --series-limit-per-name' | \
            'replay --new-series-limit' | \
            'replay --series-quota' | \
            'replay --idle-ttl' | \
            'replay --delete-idle' | \
            'replay --gauge-ttl' | \
            'replay --instance-key' | \
            'replay --first-tags' | \
            'replay --group-id' | \
            'record --listen' | \
            'record --seconds' | \
            'record --limit' | \
            'send --to' | \
            'plan --live' | \
            'plan --listen' | \
            'plan --relays' | \
            'plan --period' | \
            'plan --percentiles' | \
            'plan --series-limit' | \
            'plan --instance-key' | \
            'plan --first-tags' | \
            'plan --group-id' | \
            'plan --series-price' | \
            'plan --series-included' | \
            'plan --region' | \
            'plan --requests-per-second' | \
            'plan --entries-per-request' | \
            'plan --request-bytes' | \
            'put --metric' | \
            'put --dimension' | \
            'put --value' | \
            'put --statistic' | \
            'put --period' | \
            'put --time' | \
            'put --group-id' | \
            'put --region' | \
            'put --endpoint' | \
            'put --credentials-profile' | \
            'put --requests-per-second' | \
            'put --request-timeout' | \
            'put --entries-per-request' | \
            'put --request-bytes' | \
            'emulator --listen' | \
            'emulator --key' | \
            'emulator --entries-per-request' | \
            'emulator --series-quota' | \
            'emulator --late-window' | \
            'emulator --period' | \
            'doctor --listen' | \
            'doctor --receive-buffer' | \
            'doctor --listeners' | \
            'doctor --connections' | \
            'doctor --connection-idle' | \
            'doctor --repeat' | \
            'doctor --period' | \
            'doctor --percentiles' | \
            'doctor --series-limit' | \
            'doctor --series-limit-per-name' | \
            'doctor --new-series-limit' | \
            'doctor --series-quota' | \
            'doctor --idle-ttl' | \
            'doctor --delete-idle' | \
            'doctor --gauge-ttl' | \
            'doctor --key-flush-interval' | \
            'doctor --key-flush-percent' | \
            'doctor --instance-key' | \
            'doctor --first-tags' | \
            'doctor --group-id' | \
            'doctor --series-price' | \
            'doctor --series-included' | \
            'doctor --namespace' | \
            'doctor --region' | \
            'doctor --endpoint' | \
            'doctor --emulator' | \
            'doctor --credentials-profile' | \
            'doctor --requests-per-second' | \
            'doctor --requests-in-flight' | \
            'doctor --request-timeout' | \
            'doctor --entries-per-request' | \
            'doctor --request-bytes' | \
            'doctor --send-spread' | \
            'doctor --uncertain-retries' | \
            'doctor --max-age' | \
            'doctor --spool-bytes' | \
            'doctor --event-requests-per-second' | \
            'doctor --event-queue-bytes' | \
            'doctor --checkpoint-interval' | \
            'doctor --http-names' | \
            'doctor --stop-timeout' | \
            'doctor --self-report-prefix' | \
            'spool show --limit')
            : ;;
        'run --dialect' | \
            'check --dialect' | \
            'explain --dialect' | \
            'replay --dialect' | \
            'plan --dialect' | \
            'doctor --dialect')
            words='graphite influx librato signalfx' ;;
        'run --signed-gauge' | \
            'check --signed-gauge' | \
            'explain --signed-gauge' | \
            'replay --signed-gauge' | \
            'plan --signed-gauge' | \
            'doctor --signed-gauge')
            words='delta value' ;;
        'run --engine' | \
            'check --engine' | \
            'replay --engine' | \
            'doctor --engine')
            words='auto python native' ;;
        'run --key-flush-log' | \
            'run --mapping' | \
            'run --ca-file' | \
            'run --key-file' | \
            'check --key-flush-log' | \
            'check --mapping' | \
            'check --ca-file' | \
            'check --key-file' | \
            'explain --recording' | \
            'explain --config' | \
            'explain --mapping' | \
            'replay --config' | \
            'replay --mapping' | \
            'plan --config' | \
            'plan --mapping' | \
            'put --config' | \
            'put --file' | \
            'put --ca-file' | \
            'put --key-file' | \
            'doctor --key-flush-log' | \
            'doctor --mapping' | \
            'doctor --ca-file' | \
            'doctor --key-file' | \
            'spool ls --config' | \
            'spool verify --config' | \
            'spool show --config' | \
            'spool drop --config')
            names=-f ;;
        'run --instance' | \
            'run --http' | \
            'run --console' | \
            'check --instance' | \
            'check --http' | \
            'check --console' | \
            'explain --instance' | \
            'replay --instance' | \
            'plan --instance' | \
            'doctor --instance' | \
            'doctor --http' | \
            'doctor --console')
            words='off' ;;
        'run --sink' | \
            'check --sink' | \
            'doctor --sink')
            words='cloudmonitor hybrid emulator stdout null' ;;
        'run --network' | \
            'check --network' | \
            'put --network' | \
            'doctor --network')
            words='public vpc' ;;
        'run --signature' | \
            'check --signature' | \
            'put --signature' | \
            'doctor --signature')
            words='v3 v1' ;;
        'run --state' | \
            'check --state' | \
            'doctor --state')
            words='off' names=-d ;;
        'run --stop' | \
            'check --stop' | \
            'doctor --stop')
            words='handover send' ;;
        'run --health-status' | \
            'check --health-status' | \
            'doctor --health-status')
            words='up down' ;;
        'run --log-level' | \
            'check --log-level' | \
            'doctor --log-level')
            words='debug info warning error' ;;
        'put --type')
            words='0 1' ;;
        'emulator --edition')
            words='free paid' ;;
        'emulator --duplicates')
            words='replace merge ignore' ;;
        'spool ls --state' | \
            'spool verify --state' | \
            'spool show --state' | \
            'spool drop --state')
            names=-d ;;
        *)
            if [[ $cur == -* ]]; then
                case "$command" in
                    '') words='-h --help --version' ;;
                    'run') words='-h --help --listen --receive-buffer --listeners --connections --connection-idle --repeat --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --report-events --no-report-events --engine --period --long-period --no-long-period --percentiles --series-limit --series-limit-per-name --new-series-limit --series-quota --idle-ttl --delete-idle --gauge-ttl --key-flush-interval --key-flush-percent --key-flush-log --instance --instance-key --first-tags --mapping --group-id --series-price --series-included --sink --namespace --region --network --endpoint --emulator --signature --use-proxy --no-use-proxy --ca-file --key-file --key-file-shared --no-key-file-shared --credentials-profile --requests-per-second --requests-in-flight --request-timeout --entries-per-request --request-bytes --send-spread --uncertain-retries --max-age --spool-bytes --state --event-requests-per-second --event-queue-bytes --checkpoint-interval --stop --http --http-names --console --health-status --allow-remote-admin --no-allow-remote-admin --stop-timeout --self-report --no-self-report --self-report-prefix --log-level' ;;
                    'check') words='-h --help --listen --receive-buffer --listeners --connections --connection-idle --repeat --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --report-events --no-report-events --engine --period --long-period --no-long-period --percentiles --series-limit --series-limit-per-name --new-series-limit --series-quota --idle-ttl --delete-idle --gauge-ttl --key-flush-interval --key-flush-percent --key-flush-log --instance --instance-key --first-tags --mapping --group-id --series-price --series-included --sink --namespace --region --network --endpoint --emulator --signature --use-proxy --no-use-proxy --ca-file --key-file --key-file-shared --no-key-file-shared --credentials-profile --requests-per-second --requests-in-flight --request-timeout --entries-per-request --request-bytes --send-spread --uncertain-retries --max-age --spool-bytes --state --event-requests-per-second --event-queue-bytes --checkpoint-interval --stop --http --http-names --console --health-status --allow-remote-admin --no-allow-remote-admin --stop-timeout --self-report --no-self-report --self-report-prefix --log-level' ;;
                    'explain') words='-h --help --recording --reasons --json --as-cli --config --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --report-events --no-report-events --percentiles --series-limit --series-limit-per-name --series-quota --instance --instance-key --first-tags --mapping --group-id --region --endpoint' ;;
                    'replay') words='-h --help --json --start --until --config --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --engine --period --long-period --no-long-period --percentiles --series-limit --series-limit-per-name --new-series-limit --series-quota --idle-ttl --delete-idle --gauge-ttl --instance --instance-key --first-tags --mapping --group-id' ;;
                    'record') words='-h --help --listen --seconds --limit' ;;
                    'send') words='-h --help --to' ;;
                    'plan') words='-h --help --live --listen --relays --json --config --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --period --long-period --no-long-period --percentiles --series-limit --instance --instance-key --first-tags --mapping --group-id --series-price --series-included --region --requests-per-second --entries-per-request --request-bytes' ;;
                    'put') words='-h --help --dry-run --insecure --config --metric --dimension --value --statistic --type --period --time --file --group-id --region --network --endpoint --signature --use-proxy --no-use-proxy --ca-file --key-file --key-file-shared --no-key-file-shared --credentials-profile --requests-per-second --request-timeout --entries-per-request --request-bytes' ;;
                    'emulator') words='-h --help --listen --key --entries-per-request --series-quota --edition --duplicates --late-window --period --allow-remote-admin' ;;
                    'doctor') words='-h --help --write --json --listen --receive-buffer --listeners --connections --connection-idle --repeat --dialect --signed-gauge --key-name-sanitize --no-key-name-sanitize --report-client-telemetry --no-report-client-telemetry --report-service-checks --no-report-service-checks --report-events --no-report-events --engine --period --long-period --no-long-period --percentiles --series-limit --series-limit-per-name --new-series-limit --series-quota --idle-ttl --delete-idle --gauge-ttl --key-flush-interval --key-flush-percent --key-flush-log --instance --instance-key --first-tags --mapping --group-id --series-price --series-included --sink --namespace --region --network --endpoint --emulator --signature --use-proxy --no-use-proxy --ca-file --key-file --key-file-shared --no-key-file-shared --credentials-profile --requests-per-second --requests-in-flight --request-timeout --entries-per-request --request-bytes --send-spread --uncertain-retries --max-age --spool-bytes --state --event-requests-per-second --event-queue-bytes --checkpoint-interval --stop --http --http-names --console --health-status --allow-remote-admin --no-allow-remote-admin --stop-timeout --self-report --no-self-report --self-report-prefix --log-level' ;;
                    'spool') words='-h --help' ;;
                    'spool ls') words='-h --help --state --config --json' ;;
                    'spool verify') words='-h --help --state --config --json' ;;
                    'spool show') words='-h --help --state --config --json --parked --limit' ;;
                    'spool drop') words='-h --help --state --config --json --all --parked --quarantine' ;;
                esac
            else
                case "$command" in
                    '') words='run check explain replay record send plan put emulator doctor spool' ;;
                    'run') names=-f ;;
                    'check') names=-f ;;
                    'replay') names=-f ;;
                    'record') names=-f ;;
                    'plan') names=-f ;;
                    'doctor') names=-f ;;
                    'spool') words='ls verify show drop' ;;
                esac
            fi ;;
    esac
    mapfile -t COMPREPLY < <(
        [[ -z $words ]] || compgen -W "$words" -- "$cur"
        [[ -z $names ]] || compgen "$names" -- "$cur"
    )
    [[ -z $names ]] || compopt -o filenames 2> /dev/null
}
complete -F _cms_relay cms-relay
