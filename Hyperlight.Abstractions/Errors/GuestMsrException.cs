namespace Hyperlight;

/// <summary>A guest cannot be permitted a model-specific register.</summary>
public sealed class GuestMsrException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="register">The register's number.</param>
    /// <param name="problem">The problem.</param>
    /// <param name="driver">The driver whose hypervisor does not support it; <see langword="null"/> if no driver was asked.</param>
    public GuestMsrException(uint register, GuestMsrProblem problem, string? driver = null)
        : base($"Guests cannot be permitted the model-specific register 0x{register:X}: {Describe(problem, driver)}.")
    {
        Register = register;
        Problem = problem;
    }

    /// <summary>The register's number.</summary>
    public uint Register { get; }

    /// <summary>The problem.</summary>
    public GuestMsrProblem Problem { get; }

    private static string Describe(GuestMsrProblem problem, string? driver) => problem switch
    {
        GuestMsrProblem.TooMany => $"a policy names at most {Abstractions.MsrPolicy.MaximumAdditional} registers",
        GuestMsrProblem.Undefined => "no processor has a register of this number",
        GuestMsrProblem.WriteOnlyCommand => "writing it is a command, and there is no value to save and to put back",
        GuestMsrProblem.Clock => "its value does not stand still, and cannot be put back",
        GuestMsrProblem.HiddenFeature => "it belongs to a processor feature that is hidden from guests",
        GuestMsrProblem.Paravirtual => "it is an interface to a hypervisor, which may write to guest memory because of it",
        _ => $"the hypervisor ({driver ?? "unknown"}) does not have it, or does not let it be saved and put back",
    };
}
