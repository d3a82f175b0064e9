using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Turns a call that failed into a typed error.</summary>
internal static class WhpError
{
    /// <summary>Throws if a result is a failure.</summary>
    /// <param name="result">The HRESULT.</param>
    /// <param name="function">The name of the function.</param>
    /// <exception cref="HypervisorException">The call failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(int result, string function)
    {
        if (result < 0)
        {
            Throw(result, function);
        }
    }

    /// <summary>Throws if a Win32 error code is not 0.</summary>
    /// <exception cref="HypervisorException">The call failed.</exception>
    public static void CheckWin32(int error, string call)
    {
        if (error != 0)
        {
            throw CreateWin32(error, call);
        }
    }

    /// <summary>The error for an HRESULT.</summary>
    public static HypervisorException Create(int result, string function) => new(
        WhpHypervisor.DriverName, function, result, Describe(result), Remedy(result));

    /// <summary>The error for a Win32 error code.</summary>
    public static HypervisorException CreateWin32(int error, string call) => new(
        WhpHypervisor.DriverName, call, error, Marshal.GetPInvokeErrorMessage(error));

    /// <summary>The name of an HRESULT, or its number.</summary>
    public static string Describe(int result) => result switch
    {
        HResults.E_ACCESSDENIED => nameof(HResults.E_ACCESSDENIED),
        HResults.E_INVALIDARG => nameof(HResults.E_INVALIDARG),
        HResults.E_NOTIMPL => nameof(HResults.E_NOTIMPL),
        HResults.WHV_E_UNKNOWN_CAPABILITY => nameof(HResults.WHV_E_UNKNOWN_CAPABILITY),
        HResults.WHV_E_INSUFFICIENT_BUFFER => nameof(HResults.WHV_E_INSUFFICIENT_BUFFER),
        HResults.WHV_E_UNKNOWN_PROPERTY => nameof(HResults.WHV_E_UNKNOWN_PROPERTY),
        HResults.WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG => nameof(HResults.WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG),
        HResults.WHV_E_INVALID_PARTITION_CONFIG => nameof(HResults.WHV_E_INVALID_PARTITION_CONFIG),
        HResults.WHV_E_GPA_RANGE_NOT_FOUND => nameof(HResults.WHV_E_GPA_RANGE_NOT_FOUND),
        HResults.WHV_E_VP_ALREADY_EXISTS => nameof(HResults.WHV_E_VP_ALREADY_EXISTS),
        HResults.WHV_E_VP_DOES_NOT_EXIST => nameof(HResults.WHV_E_VP_DOES_NOT_EXIST),
        HResults.WHV_E_INVALID_VP_STATE => nameof(HResults.WHV_E_INVALID_VP_STATE),
        HResults.WHV_E_INVALID_VP_REGISTER_NAME => nameof(HResults.WHV_E_INVALID_VP_REGISTER_NAME),
        HResults.WHV_E_UNSUPPORTED_PROCESSOR_CONFIG => nameof(HResults.WHV_E_UNSUPPORTED_PROCESSOR_CONFIG),
        HResults.ERROR_VID_PARTITION_ALREADY_EXISTS => "another partition of this process maps its memory",
        _ => $"HRESULT 0x{result:X8}",
    };

    private static string? Remedy(int result) => result == HResults.ERROR_VID_PARTITION_ALREADY_EXISTS
        ? $"Set {WhpOptions.MaxSurrogatesVariable} or {nameof(WhpOptions)}.{nameof(WhpOptions.MaxSurrogates)} to more than 0."
        : null;

    [DoesNotReturn]
    private static void Throw(int result, string function) => throw Create(result, function);
}
