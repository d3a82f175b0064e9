namespace Hyperlight;

/// <summary>The error codes of the guest ABI. Values that are not listed count as <see cref="UnknownError"/>.</summary>
public enum GuestErrorCode : ulong
{
    /// <summary>Success.</summary>
    NoError = 0,

    /// <summary>A parameter's or result's type is not supported.</summary>
    UnsupportedParameterType = 2,

    /// <summary>A call without a function name.</summary>
    GuestFunctionNameNotProvided = 3,

    /// <summary>The guest has no such function.</summary>
    GuestFunctionNotFound = 4,

    /// <summary>The guest function takes another number of arguments.</summary>
    GuestFunctionIncorrectArgumentCount = 5,

    /// <summary>The guest has no dispatch function.</summary>
    DispatchFunctionPointerNotSet = 6,

    /// <summary>An OUT instruction failed.</summary>
    OutbError = 7,

    /// <summary>Anything else; also a guest's panic.</summary>
    UnknownError = 8,

    /// <summary>A stack cookie was overwritten.</summary>
    StackCheckFailed = 10,

    /// <summary>The guest registered too many functions.</summary>
    TooManyGuestFunctions = 11,

    /// <summary>The guest's allocator failed.</summary>
    AllocatorFailure = 12,

    /// <summary>The guest ran out of heap, stack or physical memory.</summary>
    OutOfMemory = 13,

    /// <summary>An argument has another type than the guest function takes.</summary>
    GuestFunctionParameterTypeMismatch = 14,

    /// <summary>A guest's own error; also the code of an exception it did not handle.</summary>
    GuestError = 15,

    /// <summary>A byte array has no length.</summary>
    ArrayLengthMissing = 16,

    /// <summary>A host function failed.</summary>
    HostFunctionError = 17,
}
