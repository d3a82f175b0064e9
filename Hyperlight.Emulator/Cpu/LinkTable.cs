using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Where emitted code goes on when it leaves its region: a direct-mapped table of one machine from addresses of the guest to
/// emitted code. An entry is made when the processor enters a block, after everything was checked, and is valid for as long
/// as each of these checks would have the same result: <see cref="LinkStamp"/>. It keeps the code that it leads to.
/// </summary>
internal sealed unsafe class LinkTable(ProcessorMemory memory)
{
    public const int IndexBits = 10;

    /// <summary>Spreads addresses, of which few differ in their lowest bits.</summary>
    public const uint Multiplier = 0x9E37_79B1;

    public const int Size = 1 << (IndexBits + LinkEntry.Shift);

    /// <summary>No address of code: it is not canonical.</summary>
    private const ulong NoAddress = 0x8000_0000_0000_0000;

    private readonly Dictionary<long, EmittedCode> _code = [];
    private readonly List<int> _used = [];
    private LinkEntry* _entries;
    private LinkStamp _stamp;
    private bool _mayChange;

    /// <summary>The memory of the table, which emitted code reads.</summary>
    public LinkEntry* Entries => _entries;

    /// <summary>Forgets the entries if anything may have changed since they were made.</summary>
    /// <param name="stamp">The present state of what they depend on.</param>
    public void Refresh(LinkStamp stamp)
    {
        if (!_mayChange)
        {
            stamp = stamp with { Run = 0 };
        }

        if (stamp != _stamp)
        {
            Clear();
            _stamp = stamp with { Run = 0 };
        }
    }

    /// <summary>Notes that a block of code may be entered from now on.</summary>
    /// <param name="rip">The address of the block.</param>
    /// <param name="code">The code.</param>
    /// <param name="entry">Which of its blocks it is.</param>
    /// <param name="run">The present run, if the host may change the guest's code before the next one; otherwise 0.</param>
    public void Add(ulong rip, EmittedCode code, int entry, long run)
    {
        if (_entries is null)
        {
            _entries = memory.AllocateLinks();
            new Span<LinkEntry>(_entries, 1 << IndexBits).Fill(new LinkEntry { Rip = NoAddress });
        }

        if (run != 0)
        {
            _mayChange = true;
            _stamp = _stamp with { Run = run };
        }

        int index = (int)((uint)rip * Multiplier >> (32 - IndexBits));
        ref LinkEntry link = ref _entries[index];
        if (link.Rip == rip && link.Block == code.EntryOf(entry))
        {
            return;
        }

        if (link.Rip == NoAddress)
        {
            _used.Add(index);
        }

        _code[code.Id] = code;
        link = new LinkEntry { Rip = rip, Region = code.LinkedEntry, Block = code.EntryOf(entry) };
    }

    /// <summary>The code that an entry has led to.</summary>
    public EmittedCode Find(long id) => _code[id];

    /// <summary>Forgets the entries. Code that runs must be kept by the caller.</summary>
    public void Clear()
    {
        foreach (int index in _used)
        {
            _entries[index].Rip = NoAddress;
        }

        _used.Clear();
        _code.Clear();
        _mayChange = false;
    }
}
