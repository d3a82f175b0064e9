namespace Hyperlight;

/// <summary>A call of the operating system or the hypervisor failed.</summary>
public class HypervisorException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="driver">The driver's name, such as <c>kvm</c>.</param>
    /// <param name="operation">The native call that failed, such as <c>KVM_CREATE_VM</c>.</param>
    /// <param name="errorCode">The operating system's error code, an errno or an HRESULT; 0 if there is none.</param>
    /// <param name="errorText">The text of the error code, such as <c>ENOMEM</c> or <c>Cannot allocate memory</c>.</param>
    /// <param name="remedy">What the user can do, or <see langword="null"/>.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public HypervisorException(
        string driver, string operation, int errorCode, string errorText, string? remedy = null, Exception? innerException = null)
        : base(Compose(driver, operation, errorCode, errorText, remedy), innerException)
    {
        Driver = driver;
        Operation = operation;
        ErrorCode = errorCode;
        Remedy = remedy;
    }

    /// <summary>The driver's name.</summary>
    public string Driver { get; }

    /// <summary>The native call that failed.</summary>
    public string Operation { get; }

    /// <summary>The operating system's error code, an errno or an HRESULT; 0 if there is none.</summary>
    public int ErrorCode { get; }

    /// <summary>What the user can do, or <see langword="null"/> if nothing is known.</summary>
    public string? Remedy { get; }

    private static string Compose(string driver, string operation, int errorCode, string errorText, string? remedy)
    {
        string code = errorCode == 0 ? string.Empty : $" (error {errorCode})";
        string advice = remedy is null ? string.Empty : $" {remedy}";
        return $"{driver}: {operation} failed: {errorText}{code}.{advice}";
    }
}
