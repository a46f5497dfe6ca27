# SPDX-License-Identifier: MIT
# fish completion for spawnfd, which itself says what options it has

# The program that the command line names, or else the one in PATH
function __spawnfd_program
    for word in (commandline -opc 2>/dev/null)
        set word (string replace -r '^~/' $HOME/ -- $word)
        if string match -rq '(^|/)spawnfd$' -- $word; and command -q $word
            echo $word
            return
        end
    end
    echo spawnfd
end

# Succeeds if the cursor is after COMMAND, or after --; prints the words of
# COMMAND before the cursor.
function __spawnfd_command
    set -l words (commandline -opc 2>/dev/null)
    set -e words[1]
    while set -q words[1]
        set -l word $words[1]
        string match -q -- '-*' $word; or break
        set -e words[1]
        if test $word = --
            set -q words[1]; and string escape -- $words
            return 0
        end
        # One word can have the letters of several options.
        contains -- $word $__spawnfd_valued
        or string match -rq "^-[^-$__spawnfd_letters]*[$__spawnfd_letters]\$" -- $word
        and set -e words[1]
    end
    set -q words[1]; and string escape -- $words
end

# COMMAND, or its arguments as fish completes them without spawnfd
function __spawnfd_complete_command
    set -l words (__spawnfd_command) (commandline -ct)
    complete --do-complete="$words"
end

function __spawnfd_signals
    set -l names (command kill -l | string split -n ' ')
    set -a names RTMIN RTMIN+(seq 15) RTMAX RTMAX-(seq 14)
    string match -q -- '*SIG*' (commandline -ct); and set names SIG$names
    test $argv[1] = --signal; or set -a names none
    printf '%s\n' $names
end

# The options of the table of --probe
function __spawnfd_probed
    set -l program (__spawnfd_program)
    $program --probe 2>/dev/null |
        string replace -rf '^.*\s--([a-z-]+)\s.*$' '$1'
end

# The names of flags, after what is typed before the last | of BITS. The number has
# the bits that --raw-flags accepts, and --dry-run prints the names of them.
function __spawnfd_flags
    set -l program (__spawnfd_program)
    set -l flags ($program --dry-run --exact --raw-flags=0xfffffffdfec6b080 true 2>/dev/null |
        string match -ra 'CLONE_[A-Z0-9_]*')
    set -l before (string replace -ra '^--[a-z-]+=|[\\\\\'"]|[^|]*$' '' -- (commandline -ct))
    printf '%s\n' $before$flags
end

# The file descriptors of this shell that COMMAND would inherit: the seventh
# octal digit of the flags has O_CLOEXEC.
function __spawnfd_descriptors
    for file in /proc/$fish_pid/fdinfo/*
        test -e $file; or continue
        string match -rq '^flags:.*[2367]\d{6}$' <$file
        or string replace -r "^.*/" "$argv" -- $file
    end
end

# Addresses that are no files: fd:N, and of the abstract sockets those that
# listen, which 10000 marks
function __spawnfd_addresses
    switch (string replace -r '^--[a-z-]+=|^-[a-z]*p' '' -- (commandline -ct))
        case 'fd:*'
            __spawnfd_descriptors fd:
        case '@*'
            awk '$4 == "00010000" && $8 ~ /^@/ { print $8 }' /proc/net/unix
    end
end

# The first Tab tells where cgroups are.
function __spawnfd_cgroups
    set -l typed (string replace -r '^--[a-z-]+=' '' -- (commandline -ct))
    set -l mounts
    test -n "$typed"
    or set mounts (awk '$3 == "cgroup2" { print $2 "/" }' /proc/self/mounts)
    if set -q mounts[1]
        printf '%s\n' $mounts
    else
        __fish_complete_directories $typed
    end
end

set -g __spawnfd_valued
set -l program (__spawnfd_program)
command -q $program; or return
$program --list-options 2>/dev/null | while read -l -d \t name letter argument flag since help rest
    set -l option -l (string sub -s 3 -- $name) -d "$help"
    set -l names $name
    if test $letter != -
        set -a option -s (string sub -s 2 -- $letter)
        set -a names $letter
    end
    # An argument that is optional is never the next word.
    string match -rq "^[A-Z]" -- $argument; and set -a __spawnfd_valued $names
    switch $argument
        case '[FLAG]'
            set -a option -f -a '(__spawnfd_probed)'
        case - '[*'
        case DIR
            set -a option -x -a '(__spawnfd_cgroups)'
        case FILE
            set -a option -r -F
        case ADDRESS
            set -a option -r -F -a '(__spawnfd_addresses)'
        case SIGNAL
            set -a option -x -a "(__spawnfd_signals $name)"
        case PID
            set -a option -x -a '$fish_pid (__fish_complete_pids)'
        case FD
            set -a option -x -a '(__spawnfd_descriptors)'
        case BITS
            set -a option -x -a '(__spawnfd_flags)'
        case '*'
            set -a option -x
    end
    complete -c spawnfd -n 'not __spawnfd_command >/dev/null' $option
end
set -g __spawnfd_letters (string replace -rf '^-([^-])$' '$1' -- $__spawnfd_valued | string join '')
complete -c spawnfd -x -a '(__spawnfd_complete_command)'
