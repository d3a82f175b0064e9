using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Hyperlight.Samples.Plugin.Untrusted;

/// <summary>A plugin that somebody else wrote.</summary>
internal sealed class TextPlugin : ITextPlugin
{
    private string? _note;

    public Task<string> ReverseAsync(string text)
    {
        char[] characters = text.ToCharArray();
        Array.Reverse(characters);
        return Task.FromResult(new string(characters));
    }

    public ValueTask<WordCounts> CountAsync(TextDocument document, int most, CancellationToken cancellationToken)
    {
        string[] words = [.. document.Lines.SelectMany(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        Dictionary<string, int> counts = words.CountBy(static word => word)
            .OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal).Take(most).ToDictionary();
        return new(new WordCounts(document.Title, words.Length, counts));
    }

    public Task RememberAsync(string? note)
    {
        _note = note;
        return Task.CompletedTask;
    }

    public Task<string?> RecallAsync() => Task.FromResult(_note);

    public async Task<string> MisbehaveAsync(Misbehaviour kind)
    {
        switch (kind)
        {
            case Misbehaviour.Throw:
                throw new InvalidOperationException("I do not want to.");
            case Misbehaviour.Loop:
                for (uint i = 0; ; i++)
                {
                    _note = i % 1000 == 0 ? null : _note;
                }

            case Misbehaviour.Allocate:
                var kept = new List<byte[]>();
                while (true)
                {
                    byte[] block = new byte[1 << 20];
                    block.AsSpan().Fill(1);
                    kept.Add(block);
                }

            case Misbehaviour.Recurse:
                return Recurse(1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            case Misbehaviour.ReadFile:
                return await File.ReadAllTextAsync("/etc/shadow");
            case Misbehaviour.OpenSocket:
                using (var client = new TcpClient())
                {
                    await client.ConnectAsync("127.0.0.1", 80);
                    return "connected";
                }

            case Misbehaviour.WriteOutput:
                using (Stream output = Console.OpenStandardOutput())
                {
                    output.Write("this is no answer\n"u8);
                }

                return "written";
            case Misbehaviour.Exit:
                Environment.Exit(3);
                return "not reached";
            default:
                throw new ArgumentOutOfRangeException(nameof(kind));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Recurse(int depth) => depth == int.MaxValue ? 0 : Recurse(depth + 1) + Recurse(depth + 2);
}
