namespace Hyperlight.Emulator.Compilation;

/// <summary>A machine that keeps compiled code.</summary>
internal interface ICodeHolder
{
    /// <summary>Asks it to forget its code: at once if it does not run, otherwise as soon as none of it is running. From any thread.</summary>
    void ReleaseCode();
}
