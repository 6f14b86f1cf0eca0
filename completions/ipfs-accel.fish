# Completion of ipfs-accel in fish. Made by scripts/completions.
function __ipfs_accel_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' "$typed")
    for line in (env _IPFS_ACCEL_COMPLETE=complete $words "$typed" 2> /dev/null)
        set -l answer (string split -m 2 \t -- $line)
        if test "$answer[1]" = plain
            printf '%s%s\t%s\n' "$option" $answer[2] "$answer[3]"
        else
            __fish_complete_path "$typed"
        end
    end
end
complete -c ipfs-accel -f -a '(__ipfs_accel_complete)'
