# Completion of ipfs-accel in bash. Made by scripts/completions.
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
        words[${#words[@]} - 1]+=${word//[\"\'\\]/}
        rest=${rest#"$word"}
    done
    word=${words[${#words[@]} - 1]}
    stem=${word%"${word##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
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
