namespace Hyperlight.Host.Wire;

/// <summary>FunctionCallType of the schema.</summary>
internal enum WireCallType : byte
{
    None = 0,
    Guest = 1,
    Host = 2,
}

/// <summary>The discriminator of ParameterValue; 0 is no value.</summary>
internal enum WireParameterTag : byte
{
    None = 0,
    Int = 1,
    UInt = 2,
    Long = 3,
    ULong = 4,
    Float = 5,
    Double = 6,
    String = 7,
    Bool = 8,
    Bytes = 9,
}

/// <summary>The discriminator of ReturnValue; 0 is no value.</summary>
internal enum WireReturnTag : byte
{
    None = 0,
    Int = 1,
    UInt = 2,
    Long = 3,
    ULong = 4,
    Float = 5,
    Double = 6,
    String = 7,
    Bool = 8,
    Void = 9,
    Bytes = 10,
}

/// <summary>The discriminator of FunctionCallResultType; 0 is no result.</summary>
internal enum WireResultTag : byte
{
    None = 0,
    ReturnValue = 1,
    GuestError = 2,
}

/// <summary>LogLevel of the schema.</summary>
internal enum WireLogLevel : byte
{
    Trace = 0,
    Debug = 1,
    Information = 2,
    Warning = 3,
    Error = 4,
    Critical = 5,
    None = 6,
}
