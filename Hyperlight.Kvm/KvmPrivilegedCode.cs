using Hyperlight.Abstractions;

namespace Hyperlight.Kvm;

/// <summary>
/// Finds out what this KVM makes of guest code at CPL 0. On a processor with virtualization it runs natively. A nested KVM
/// without one emulates it, and its emulator lacks many instructions.
/// </summary>
internal static class KvmPrivilegedCode
{
    private const byte Hlt = 0xF4;

    /// <summary>One of each group that guests are likely to use: SSE, a newer general instruction, an exception of software.</summary>
    private static readonly (string Name, byte[] Code)[] Instructions =
    [
        ("pxor", [0x66, 0x0F, 0xEF, 0xC0]),
        ("popcnt", [0xF3, 0x0F, 0xB8, 0xC0]),
        ("int3", [0xCC]),
    ];

    /// <summary>Executes a few instructions.</summary>
    /// <returns>The names of those that KVM cannot execute; empty on a processor with virtualization.</returns>
    /// <exception cref="HypervisorException">KVM failed.</exception>
    public static IReadOnlyList<string> FindUnsupported(KvmProbeMachine machine)
    {
        List<string> unsupported = [];
        foreach ((string name, byte[] code) in Instructions)
        {
            machine.Write(KvmProbeMachine.Code, [.. code, Hlt]);

            // A processor may lack an instruction, and int3 has no handler here: that shuts the guest down.
            if (machine.Run(KvmProbeMachine.Code) == VmExitReason.EmulationFailure)
            {
                unsupported.Add(name);
            }
        }

        return unsupported;
    }
}
