using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The pages that compiled code relies on, for each privilege that has run some.</summary>
internal sealed class CodePlacesByPrivilege(Tlb tlb)
{
    private CodePlaces? _supervisor;
    private CodePlaces? _user;

    /// <summary>The pages that code of the present privilege relies on.</summary>
    public CodePlaces Current => tlb.IsUser ? _user ??= new CodePlaces() : _supervisor ??= new CodePlaces();

    /// <summary>Forgets the translation of a page, which code may rely on.</summary>
    public void Forget(ulong address)
    {
        tlb.FlushPage(address);
        _supervisor?.Forget(address);
        _user?.Forget(address);
    }

    /// <summary>No code relies on any page.</summary>
    public void Clear()
    {
        _supervisor?.Clear();
        _user?.Clear();
    }
}
