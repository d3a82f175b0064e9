namespace Hyperlight.Emulator.Compilation;

/// <summary>A machine that keeps compiled code.</summary>
internal interface ICodeHolder
{
    /// <summary>Asks it to forget its code: at once if it does not run, otherwise before its next run. From any thread.</summary>
    void ReleaseCode();
}
