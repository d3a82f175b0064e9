using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Hyperlight.Guests.CSharp;

/// <summary>Strings, encodings, dates and compression.</summary>
internal static class Texts
{
    public static int Run()
    {
        var builder = new StringBuilder();
        for (int i = 0; i < 500; i++)
        {
            builder.Append(CultureInfo.InvariantCulture, $"{i:X4}-{i * 1.5:F2};");
        }

        string text = builder.ToString();
        byte[] bytes = Encoding.UTF8.GetBytes(text + "äöü€😀");
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        packed.Position = 0;
        using var reader = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        string back = reader.ReadToEnd();
        Console.WriteLine($"{text.Length} {bytes.Length} {packed.Length < bytes.Length} {back.EndsWith("€😀", StringComparison.Ordinal)}");
        Console.WriteLine(Convert.ToHexString(Encoding.Unicode.GetBytes("aä😀")) + " " + Convert.ToBase64String(bytes.AsSpan(0, 30)));
        var date = new DateTime(2024, 2, 29, 12, 30, 15, DateTimeKind.Utc);
        Console.WriteLine($"{date:O} {date.AddYears(1):R} {date.DayOfYear} {TimeZoneInfo.Utc.Id}");
        Console.WriteLine($"{DateTime.UtcNow.Year > 2000} {Guid.NewGuid() != Guid.NewGuid()} {Guid.Parse("00112233-4455-6677-8899-aabbccddeeff")}");
        Console.WriteLine(string.Join(',', "one two  three".Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w.PadLeft(6, '.'))));
        return 0;
    }
}
