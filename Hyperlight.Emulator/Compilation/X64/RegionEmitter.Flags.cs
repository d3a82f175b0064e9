namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Flags. The host's own are the guest's from an instruction that sets them up to one that changes the host's for another
/// purpose; before that they are saved in RAX, which two instructions do, and two others bring them back.
/// </summary>
internal sealed partial class RegionEmitter
{
    private const int Equal = 4;
    private const int NotEqual = 5;
    private const int BelowOrEqual = 6;
    private const int Above = 7;
    private const int AboveOrEqual = 3;
    private const int Negative = 8;

    private FlagPlace _flags;

    /// <summary>From here on they are in RAX, perhaps in the host's flags as well.</summary>
    private void SaveFlags()
    {
        if (_flags == FlagPlace.Host)
        {
            // LAHF, SETO AL.
            _a.Bytes(0x9F, 0x0F, 0x90, 0xC0);
            _flags = FlagPlace.Both;
        }
    }

    /// <summary>From here on they are in RAX, and the host's flags are free for other use.</summary>
    private void FreeFlags()
    {
        SaveFlags();
        _flags = FlagPlace.Saved;
    }

    /// <summary>From here on they are in the host's flags, perhaps in RAX as well.</summary>
    private void UseFlags()
    {
        if (_flags == FlagPlace.Saved)
        {
            RestoreFlags();
            _flags = FlagPlace.Both;
        }
    }

    /// <summary>CMP AL, -127, which overflows if AL is one, and SAHF.</summary>
    private void RestoreFlags() => _a.Bytes(0x3C, 0x81, 0x9E);

    /// <summary>The instruction just emitted set them.</summary>
    private void FlagsAreNew() => _flags = FlagPlace.Host;
}
