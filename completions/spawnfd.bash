# SPDX-License-Identifier: MIT
# bash completion for spawnfd, which itself says what options it has. The
# helpers use the variables of _spawnfd.

# Sets words to the words up to the cursor. COMP_WORDS also splits words at the
# characters =, : and @. starts has the first index of each in COMP_WORDS, and
# offsets its place in COMP_LINE.
_spawnfd_split()
{
	local rest=${COMP_LINE:0:COMP_POINT} blank i

	for ((i = 0; i <= COMP_CWORD; i++)); do
		blank=${rest%%[![:space:]]*}
		rest=${rest#"$blank"}
		if ((i == 0)) || [[ $blank ]]; then
			starts+=("$i")
			offsets+=($((COMP_POINT - ${#rest})))
			words+=('')
		fi
		if ((i == COMP_CWORD)); then
			words[-1]+=$rest
		else
			words[-1]+=${COMP_WORDS[i]}
			rest=${rest#"${COMP_WORDS[i]}"}
		fi
	done
}

# Offers those of the words $2... that begin with $1, the end of $word. Readline
# replaces only $cur, which may be less than $1, or more.
_spawnfd_offer()
{
	local value=$1 before=${word%"$1"} each

	for each in "${@:2}"; do
		[[ $each != "$value"* ]] && continue
		each=$before$each
		COMPREPLY+=("${each#"${word%"$cur"}"}")
	done
}

# Sets fds to the file descriptors of this shell that COMMAND would inherit. A
# subshell would have others. The seventh octal digit has O_CLOEXEC: proc(5).
_spawnfd_descriptors()
{
	local file flags

	for file in "/proc/$$/fdinfo"/*; do
		[[ -e $file ]] && { read -r; read -r _ flags; } <"$file"
		[[ -e $file && $flags != *[2367]?????? ]] &&
			fds+=("${file##*/}")
	done
}

# Completes $2, an address.
_spawnfd_address()
{
	local -a fds=()

	case $1 in
	fd:*)
		_spawnfd_descriptors
		_spawnfd_offer "$1" "${fds[@]/#/fd:}"
		;;
	@*)
		# Of the abstract sockets, 10000 marks those that listen.
		mapfile -t fds < <(awk '$4 == "00010000" && $8 ~ /^@/ {
			print $8 }' /proc/net/unix)
		_spawnfd_offer "$1" "${fds[@]}"
		;;
	*)
		compopt -o default 2>/dev/null
		;;
	esac
}

# Completes $3, the value of option $1, which --list-options describes as $2.
# Files are left to readline, which knows how to quote them.
_spawnfd_value()
{
	local value=${3#[\"\']} directory type
	local -a fds=() all=()

	case $2 in
	SIGNAL)
		mapfile -t all < <(compgen -A signal SIG | sed '/JUNK/d; s/^SIG//')
		[[ $value == SIG* ]] && all=("${all[@]/#/SIG}")
		[[ $1 == --exit-signal ]] && all+=(none)
		_spawnfd_offer "$value" "${all[@]}"
		;;
	PID)
		all=(/proc/[0-9]*)
		_spawnfd_offer "$value" "${all[@]#/proc/}"
		;;
	FD)
		_spawnfd_descriptors
		_spawnfd_offer "$value" "${fds[@]}"
		;;
	\[FLAG\])
		# the options in the table
		mapfile -t all < <("$program" --probe 2>/dev/null |
			awk '$4 ~ /^--[a-z-]*$/ { print substr($4, 3) }')
		_spawnfd_offer "$value" "${all[@]}"
		;;
	BITS)
		# The last of the names that | joins is completed. The number
		# has the bits that --raw-flags accepts, and --dry-run prints
		# the names of them.
		mapfile -t all < <("$program" --dry-run --exact \
			--raw-flags=0xfffffffdfec6b080 true 2>/dev/null |
			grep -o 'CLONE_[A-Z0-9_]*')
		_spawnfd_offer "${value##*|}" "${all[@]}"
		;;
	DIR)
		compopt -o dirnames 2>/dev/null
		[[ $value ]] && return
		while read -r _ directory type _; do
			[[ $type == cgroup2 ]] || continue
			compopt -o nospace 2>/dev/null
			_spawnfd_offer '' "$directory/"
		done </proc/self/mounts
		;;
	FILE)
		compopt -o default 2>/dev/null
		;;
	ADDRESS)
		_spawnfd_address "$value"
		;;
	esac
}

# Does what bash does when it completes a command line that begins with COMMAND,
# the word $1 of words.
_spawnfd_arguments()
{
	local spec command=${words[$1]} start=${starts[$1]} rest

	spec=$(complete -p -- "${command##*/}" 2>/dev/null)
	if [[ ! $spec ]]; then
		compopt -o bashdefault -o default 2>/dev/null
		return
	fi
	rest=$spec
	while [[ $rest =~ ' -o '([a-z]+)' '(.*) ]]; do
		compopt -o "${BASH_REMATCH[1]}" 2>/dev/null
		rest=" ${BASH_REMATCH[2]}"
	done
	if [[ $spec =~ ' -F '([^ ]+)' ' ]]; then
		COMP_LINE=${COMP_LINE:offsets[$1]}
		COMP_POINT=$((COMP_POINT - offsets[$1]))
		COMP_WORDS=("${COMP_WORDS[@]:start}")
		COMP_CWORD=$((COMP_CWORD - start))
		"${BASH_REMATCH[1]}" "$command" "$cur" \
			"${COMP_WORDS[COMP_CWORD - 1]}"
	else
		# It is quoted as the shell reads it.
		spec=${spec#complete }
		mapfile -t COMPREPLY < <(eval "compgen ${spec% *} -- \"\$cur\"")
	fi
}

# Completes COMMAND, the word $1 of words, or one of its arguments.
_spawnfd_command()
{
	local offset

	# bash-completion has these; the first is the one since 2.12.
	for offset in _comp_command_offset _command_offset; do
		if declare -F "$offset" >/dev/null; then
			"$offset" "${starts[$1]}"
			return
		fi
	done
	if (($1 < ${#words[@]} - 1)); then
		_spawnfd_arguments "$1"
		return
	fi
	[[ $cur == */* ]] && compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -c -- "${cur//\\/}")
}

# Sets option to the one in the word $1 that takes the next word as its argument.
# Fails if there is none. One word can have the letters of several options, and
# letters are set to what follows the letter of option.
_spawnfd_takes_next()
{
	option=$1
	letters=${1#-}
	while [[ $1 != --* && $letters ]]; do
		option=-${letters:0:1}
		letters=${letters:1}
		[[ ${arguments[$option]-} == [A-Z]* ]] && break
	done
	# An argument that is optional is never the next word.
	[[ ${arguments[$option]-} == [A-Z]* && ($1 == --* || ! $letters) ]]
}

_spawnfd()
{
	local program=${1//[\\\'\"]/} cur=$2 word name letter argument i
	local option letters
	local -a words=() starts=() offsets=() options=(--)
	local -A arguments=()

	# The word may be one of those at which COMP_WORDS is split.
	[[ $cur == [=:@] ]] && cur=
	[[ $program =~ ^(~|\$HOME)/ ]] && program=$HOME/${program#*/}
	# The user may have turned off globbing.
	local -
	set +f
	while IFS=$'\t' read -r name letter argument _; do
		options+=("$name")
		arguments[$name]=$argument
		[[ $letter == - ]] && continue
		options+=("$letter")
		arguments[$letter]=$argument
	done < <("$program" --list-options 2>/dev/null)

	COMPREPLY=()
	_spawnfd_split
	word=${words[-1]}
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		option=${words[i]}
		[[ $option == -- ]] && ((i++))
		if [[ $option == -- || $option != -* ]]; then
			_spawnfd_command "$i"
			return
		fi
		_spawnfd_takes_next "$option" && ((i++))
	done
	if ((i == ${#words[@]})); then
		_spawnfd_value "$option" "${arguments[$option]}" "$word"
	elif [[ $word == --*=* ]]; then
		option=${word%%=*}
		_spawnfd_value "$option" "${arguments[$option]-}" "${word#*=}"
	elif [[ $word == -[!-]* ]] && ! _spawnfd_takes_next "$word" &&
	     [[ ${arguments[$option]-} == [A-Z]* ]]; then
		# its argument is in the same word
		_spawnfd_value "$option" "${arguments[$option]}" "$letters"
	elif [[ $word == -* ]]; then
		_spawnfd_offer "$word" "${options[@]}"
		[[ ${#COMPREPLY[@]} -eq 1 &&
		   ${arguments[${COMPREPLY[0]}]-} == [A-Z]* ]] || return 0
		compopt -o nospace 2>/dev/null
		[[ ${COMPREPLY[0]} == --* ]] && COMPREPLY[0]+='='
	else
		_spawnfd_command "$i"
	fi
}

complete -F _spawnfd spawnfd
