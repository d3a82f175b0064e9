namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Jumps that many places behind each other have, all to the same target: only some of them go there, and the others go to one of those
/// that is near. So most are short; what they are for is rare.
/// </summary>
/// <param name="assembler">What they are written to.</param>
internal sealed class NearJumps(Assembler assembler)
{
    /// <summary>How far a jump is from the one that it goes to. Both are in their long forms there.</summary>
    private const int Reach = 120;

    private int _target;
    private int _last;
    private int _lastPosition;

    /// <summary>Begins again.</summary>
    /// <param name="target">Where they lead.</param>
    public void Reset(int target) => (_target, _last, _lastPosition) = (target, target, int.MinValue / 2);

    /// <summary>A jump at this place.</summary>
    public void Jump()
    {
        int next = Next();
        assembler.Jump(next);
    }

    /// <summary>A jump with a condition, which is that of all.</summary>
    public void JumpIf(int condition)
    {
        int next = Next();
        assembler.JumpIf(condition, next);
    }

    private int Next()
    {
        if (assembler.Position - _lastPosition <= Reach)
        {
            return _last;
        }

        (_last, _lastPosition) = (assembler.NewLabel(), assembler.Position);
        assembler.Mark(_last);
        return _target;
    }
}
