namespace Hyperlight.Host.Files;

/// <summary>What came of an attempt to lock a file.</summary>
internal enum LockResult
{
    /// <summary>It is locked now.</summary>
    Locked,

    /// <summary>Another process or thread has locked it.</summary>
    InUse,

    /// <summary>There is no such file.</summary>
    Missing,
}
