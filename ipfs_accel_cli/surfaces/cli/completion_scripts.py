"""The scripts that make bash, zsh and fish ask this program what may stand at the cursor."""

from __future__ import annotations

VARIABLE = "_IPFS_ACCEL_COMPLETE"

# Bash splits words at `:` and `=` too; they are put together again as the line has them, and an answer is given from
# the last such character on, since bash replaces only that much.
BASH = """# Completion of ipfs-accel in bash. Made by scripts/completions.
_ipfs_accel() {
    local rest=${COMP_LINE:0:COMP_POINT} word kind value help index stem
    local -a words=()
    for ((index = 0; index <= COMP_CWORD; index++)); do
        if ((index == 0)) || [[ $rest == [[:space:]]* ]]; then
            words+=("")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        word=$rest
        ((index == COMP_CWORD)) || word=${COMP_WORDS[index]}
        words[${#words[@]} - 1]+=${word//[\\"\\'\\\\]/}
        rest=${rest#"$word"}
    done
    word=${words[${#words[@]} - 1]}
    stem=${word%"${word##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\\t' read -r kind value help; do
        if [[ $kind == plain ]]; then
            [[ $value == "$stem"* ]] && value=${value#"$stem"}
            COMPREPLY+=("$value")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "${word##*[:=]}")
        fi
    done < <(_IPFS_ACCEL_COMPLETE=complete "${words[@]}" 2> /dev/null)
}
complete -F _ipfs_accel ipfs-accel
"""

# As a file `_ipfs-accel` on the fpath the text is the body of the function; sourced, it only registers the function.
ZSH = """#compdef ipfs-accel
# Completion of ipfs-accel in zsh. Made by scripts/completions.
_ipfs_accel() {
    local line kind value help
    local -a answers described
    answers=("${(@f)$(_IPFS_ACCEL_COMPLETE=complete "${~${(Q)words[1]}}" "${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
    for line in "${answers[@]}"; do
        kind=${line%%$'\\t'*}
        value=${${line#*$'\\t'}%%$'\\t'*}
        help=${line##*$'\\t'}
        if [[ $kind == plain ]]; then
            described+=("${value//:/\\\\:}${help:+:$help}")
        else
            _files
            return
        fi
    done
    # What is offered after `--option=` replaces the value alone.
    [[ $PREFIX == --*=* ]] && compset -P '--*='
    _describe -V ipfs-accel described
}

if [[ ${funcstack[1]} == _ipfs-accel ]]; then
    _ipfs_accel "$@"
else
    compdef _ipfs_accel ipfs-accel
fi
"""

FISH = """# Completion of ipfs-accel in fish. Made by scripts/completions.
function __ipfs_accel_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' "$typed")
    for line in (env _IPFS_ACCEL_COMPLETE=complete $words "$typed" 2> /dev/null)
        set -l answer (string split -m 2 \\t -- $line)
        if test "$answer[1]" = plain
            printf '%s%s\\t%s\\n' "$option" $answer[2] "$answer[3]"
        else
            __fish_complete_path "$typed"
        end
    end
end
complete -c ipfs-accel -f -a '(__ipfs_accel_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
FILES = {"bash": "ipfs-accel.bash", "zsh": "_ipfs-accel", "fish": "ipfs-accel.fish"}
