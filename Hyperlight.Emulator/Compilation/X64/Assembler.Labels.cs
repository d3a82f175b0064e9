using System.Buffers.Binary;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Labels, and the jumps to them. Each jump is emitted in its long form; those whose targets turn out to be near become shorter at the end.</summary>
internal sealed partial class Assembler
{
    /// <summary>How much shorter jumps are, and those with a condition, if one byte says how far they go.</summary>
    private const int ShorterJump = 3;
    private const int ShorterBranch = 4;

    /// <summary>The length of either then.</summary>
    private const int ShortLength = 2;

    /// <summary>Where labels are; -1 if they are not marked yet.</summary>
    private int[] _labels = new int[64];
    private int _labelCount;

    /// <summary>The labels that are marked, by their places.</summary>
    private int[] _marked = new int[64];
    private int _markedCount;

    private Reference[] _references = new Reference[64];
    private int _referenceCount;

    public int NewLabel()
    {
        if (_labelCount == _labels.Length)
        {
            Array.Resize(ref _labels, 2 * _labelCount);
        }

        _labels[_labelCount] = -1;
        return _labelCount++;
    }

    public void Mark(int label)
    {
        if (_markedCount == _marked.Length)
        {
            Array.Resize(ref _marked, 2 * _markedCount);
        }

        _marked[_markedCount++] = label;
        _labels[label] = Position;
        KeepsAddress = false;
    }

    /// <summary>Where a label is in the finished code.</summary>
    public int OffsetOf(int label) => _labels[label];

    /// <summary>The finished code. Nothing can be added to it.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        // What lies between a jump and its target only becomes shorter by others.
        foreach (ref Reference reference in _references.AsSpan(0, _referenceCount))
        {
            int distance = _labels[reference.Label] - reference.At - sizeof(int);
            reference.Shorter = distance == (sbyte)distance ? reference.Shorter : 0;
        }

        Shorten();
        foreach (Reference reference in _references.AsSpan(0, _referenceCount))
        {
            int target = _labels[reference.Label];
            if (reference.Shorter != 0)
            {
                _bytes[reference.At] = (byte)(target - reference.At - 1);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(reference.At), target - reference.At - sizeof(int));
            }
        }

        return _bytes.AsSpan(0, Position);
    }

    private void ResetLabels() => (_labelCount, _markedCount, _referenceCount) = (0, 0, 0);

    /// <summary>Moves everything to where it is with the jumps that become shorter.</summary>
    private void Shorten()
    {
        int from = 0;
        int removed = 0;
        int marked = 0;
        foreach (ref Reference reference in _references.AsSpan(0, _referenceCount))
        {
            int start = reference.At - reference.Shorter + ShortLength;
            if (reference.Shorter != 0)
            {
                for (; marked < _markedCount && _labels[_marked[marked]] <= start; marked++)
                {
                    _labels[_marked[marked]] -= removed;
                }

                Move(from, start, removed);
                from = reference.At + sizeof(int);

                // The condition is in the second byte of the long form, and in the only one of the short form.
                _bytes[start - removed] = (byte)(reference.Shorter == ShorterJump ? 0xEB : 0x70 | (_bytes[start + 1] & 15));
                reference.At = start - removed + 1;
                removed += reference.Shorter;
            }
            else
            {
                reference.At -= removed;
            }
        }

        for (; marked < _markedCount; marked++)
        {
            _labels[_marked[marked]] -= removed;
        }

        Move(from, Position, removed);
        Position -= removed;
    }

    private void Move(int from, int end, int distance)
    {
        if (distance != 0)
        {
            _bytes.AsSpan(from, end - from).CopyTo(_bytes.AsSpan(from - distance));
        }
    }

    /// <summary>Four bytes that say how far a label is from them.</summary>
    /// <param name="label">The label.</param>
    /// <param name="shorter">How much shorter the instruction may become.</param>
    private void Target(int label, int shorter = 0)
    {
        Reserve();
        if (_referenceCount == _references.Length)
        {
            Array.Resize(ref _references, 2 * _referenceCount);
        }

        _references[_referenceCount++] = new Reference { At = Position, Label = label, Shorter = shorter };
        Position += sizeof(int);
    }

    /// <summary>A place that says how far a label is, and how much shorter its instruction may become.</summary>
    private struct Reference
    {
        public int At;
        public int Label;
        public int Shorter;
    }
}
