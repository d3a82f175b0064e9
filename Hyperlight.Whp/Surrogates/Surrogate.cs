namespace Hyperlight.Whp;

/// <summary>A process that hosts the memory of one guest at a time, and never runs.</summary>
internal sealed class Surrogate(IWindowsKernel kernel, ObjectHandle process, uint id)
{
    /// <summary>The process.</summary>
    public ObjectHandle Process => process;

    /// <summary>The number of the process.</summary>
    public uint Id => id;

    /// <summary>Whether the process has ended, for which only something outside of this library can be the reason.</summary>
    public bool HasEnded => kernel.HasEnded(process.DangerousGetHandle());

    /// <summary>The error of a machine whose surrogate has ended.</summary>
    public HypervisorException Ended() => new(
        WhpHypervisor.DriverName,
        "Surrogate",
        0,
        $"the process {id}, which hosts the memory of the guest, was ended from outside",
        "Dispose the sandbox, and create another.");
}
