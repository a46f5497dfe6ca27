# SPDX-License-Identifier: MIT
# fish completion for spawnfd; what there is to complete comes from itself

function __spawnfd_signals
    test $argv[1] = --signal; or echo none
    command kill -l | string split -n ' '
end

# The options of the table of --probe
function __spawnfd_probed
    spawnfd --probe 2>/dev/null | string replace -rf '^.*\s--([a-z-]+)\s.*$' '$1'
end

spawnfd --list-options 2>/dev/null | while read -l -d \t name letter argument flag since help
    set -l option -l (string sub -s 3 -- $name) -d $help
    test $letter = -; or set -a option -s (string sub -s 2 -- $letter)
    switch $argument
        case '[FLAG]'
            set -a option -f -a '(__spawnfd_probed)'
        case - '[*'
        case DIR
            set -a option -x -a '(__fish_complete_directories)'
        case FILE ADDRESS
            set -a option -r -F
        case SIGNAL
            set -a option -x -a "(__spawnfd_signals $name)"
        case PID
            set -a option -x -a '(__fish_complete_pids)'
        case '*'
            set -a option -x
    end
    complete -c spawnfd $option
end
complete -c spawnfd -x -a '(__fish_complete_subcommand)'
