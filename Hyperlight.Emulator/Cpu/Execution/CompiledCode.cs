using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The compiled code that one processor uses.</summary>
internal sealed class CompiledCode(Tlb tlb, ProcessorMemory native, CodePlacesByPrivilege places)
{
    /// <summary>Where emitted code goes on, for each privilege that has run some.</summary>
    private LinkTable? _supervisorLinks;
    private LinkTable? _userLinks;

    /// <summary>The code that is running, or the one that called the interpreter last: another one may be running that it led to.</summary>
    public EmittedCode? Running => (EmittedCode?)RunningRegion?.Code;

    /// <summary>Its region.</summary>
    public Region? RunningRegion { get; private set; }

    /// <summary>The size of the code that was compiled since all was forgotten, code that is gone again included.</summary>
    public long Size { get; set; }

    /// <summary>The links of the present privilege: code of the other one keeps its own.</summary>
    public LinkTable Links => tlb.IsUser ? _userLinks ??= new LinkTable(native) : _supervisorLinks ??= new LinkTable(native);

    /// <summary>Code is about to run, or has called the interpreter.</summary>
    public void NoteRunning(Region region) => RunningRegion = region;

    /// <summary>No block has code any more: nothing leads to any, and none counts. No emitted code is running.</summary>
    public void NoteForgotten()
    {
        _supervisorLinks?.Free();
        _userLinks?.Free();
        places.Clear();
        RunningRegion = null;
        Size = 0;
    }
}
