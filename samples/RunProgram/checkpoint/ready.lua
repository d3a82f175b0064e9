-- Reaches the checkpoint. Returns the arguments and the environment variables of the run.
function wait_for_run()
    local ready <close> = assert(io.open("/dev/hyperlight/ready", "rb"))
    local strings, arguments, variables = ready:read("a"):gmatch("([^\0]*)\0"), {}, {}
    for i = 1, tonumber(strings()) do arguments[i] = strings() end
    for variable in strings do
        local name, value = variable:match("([^=]+)=(.*)")
        variables[name] = value
    end
    return arguments, variables
end
