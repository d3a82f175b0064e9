namespace Hyperlight.Plugins;

/// <summary>Lines over two streams.</summary>
/// <param name="input">What is received.</param>
/// <param name="output">What is sent.</param>
/// <param name="mostBytes">The longest line that is received, in bytes.</param>
internal sealed class StreamTransport(Stream input, Stream output, int mostBytes) : IPluginTransport
{
    private const int FirstSize = 4096;
    private const byte EndOfLine = (byte)'\n';

    private byte[] _buffer = new byte[FirstSize];
    private int _start;
    private int _end;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        var framed = new byte[line.Length + 1];
        line.CopyTo(framed);
        framed[^1] = EndOfLine;
        await output.WriteAsync(framed, cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        int searched = 0;
        while (true)
        {
            int length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf(EndOfLine);
            if (length >= 0)
            {
                ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, searched + length);
                _start += line.Length + 1;
                return line;
            }

            searched = _end - _start;
            if (searched > mostBytes)
            {
                throw new InvalidDataException($"A line has more than {mostBytes} bytes.");
            }

            MakeRoom();
            int count = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                // What is not a whole line is not a message.
                return null;
            }

            _end += count;
        }
    }

    /// <summary>The line that is being received begins at the start of the buffer, which has room behind it.</summary>
    private void MakeRoom()
    {
        int used = _end - _start;
        byte[] target = used > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, used).CopyTo(target);
        _buffer = target;
        _start = 0;
        _end = used;
    }
}
