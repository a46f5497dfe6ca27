# SPDX-License-Identifier: MIT
# bash completion for spawnfd; what there is to complete comes from itself

# Completes $2, the value of option $1; compopt must not be in a subshell.
# $program is that of the caller.
_spawnfd_values()
{
	case $1 in
	--cgroup)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	--pass | -p | --receive | --pid-file)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	--signal | -s | --exit-signal)
		mapfile -t COMPREPLY < <(compgen -W "$(
			[[ $1 == --exit-signal ]] && echo none
			compgen -A signal SIG | sed '/JUNK/d; s/^SIG//')" \
			-- "$2")
		;;
	--die-with-pid)
		mapfile -t COMPREPLY < <(compgen -W "$(
			cd /proc && echo [0-9]*)" -- "$2")
		;;
	--probe)
		# the options of its table
		mapfile -t COMPREPLY < <(compgen -W "$(
			"$program" --probe 2>/dev/null |
				awk '$4 ~ /^--[a-z-]*$/ { print substr($4, 3) }'
			)" -- "$2")
		;;
	esac
}

_spawnfd()
{
	local program=$1 cur=$2 option takes i
	local -a words=("${COMP_WORDS[@]}")

	# an optional argument is only ever behind a '='
	takes=" $("$program" --list-options 2>/dev/null |
		awk -F '\t' '$3 ~ /^[A-Z]/ { print $1; print $2 }' |
		grep -vx -- - | tr '\n' ' ')"

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		option=${words[i]}
		if [[ $option == -- || $option != -* ]]; then
			[[ $option == -- ]] && ((i++))
			if declare -F _command_offset >/dev/null; then
				_command_offset "$i"
			elif ((i == COMP_CWORD)); then
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi
			return
		fi
		# bash breaks words at '=': OPTION = VALUE
		if [[ ${words[i + 1]-} == = ]]; then
			((i++))
		elif [[ $takes != *" $option "* ]]; then
			continue
		fi
		((i++))
		if ((i >= COMP_CWORD)); then
			[[ $cur == = ]] && cur=
			_spawnfd_values "$option" "$cur"
			return
		fi
	done
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(
			"$program" --list-options 2>/dev/null |
				cut -f 1,2 | tr '\t' '\n' | grep -- '-.'
			) --" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
	if [[ ${#COMPREPLY[@]} -eq 1 && $takes == *" ${COMPREPLY[0]} "* ]]; then
		compopt -o nospace 2>/dev/null
		COMPREPLY[0]+='='
	fi
}

complete -F _spawnfd spawnfd
