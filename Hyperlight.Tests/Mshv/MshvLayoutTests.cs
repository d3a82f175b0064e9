using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// The driver's structures and numbers are those of the public headers, as a C compiler computes them: eng/MshvLayouts.
/// </summary>
[TestFixture]
internal sealed class MshvLayoutTests
{
    /// <summary>Where the names of the headers are not those of the structure and its fields.</summary>
    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["HvInputVpRegisters"] = "hv_input_set_vp_registers",
        ["hv_message.message_type"] = "header.message_type",
        ["hv_message.payload_size"] = "header.payload_size",
        ["hv_message.intercept"] = "u.payload",
        ["hv_message.memory"] = "u.payload",
        ["hv_message.io_port"] = "u.payload",
        ["hv_message.exception"] = "u.payload",
        ["hv_vp_register_page.is_valid"] = "isvalid",
        ["mshv_create_partition_v2.pt_cpu_fbanks0"] = "pt_cpu_fbanks[0]",
        ["mshv_create_partition_v2.pt_cpu_fbanks1"] = "pt_cpu_fbanks[1]",
    };

    private static readonly Dictionary<string, string> ConstantsWithOtherNames = new()
    {
        ["General"] = "HV_X64_REGISTER_CLASS_GENERAL",
        ["Ip"] = "HV_X64_REGISTER_CLASS_IP",
        ["Flags"] = "HV_X64_REGISTER_CLASS_FLAGS",
    };

    /// <summary>
    /// Not in the headers: a byte that two bit fields share, an array of bytes, and the union of register values, whose members
    /// are structures of their own.
    /// </summary>
    private static readonly string[] WithoutLine = ["hv_x64_intercept_message_header.instruction_length_and_cr8"];

    private static readonly Dictionary<string, long> Lines = File
        .ReadAllLines(Path.Combine(AppContext.BaseDirectory, "mshv-layouts.txt"))
        .ToDictionary(
            static line => line[..line.LastIndexOf(' ')],
            static line => Parse(line[(line.LastIndexOf(' ') + 1)..]));

    private static IEnumerable<Type> Types => typeof(MshvIoctls).Assembly.GetTypes()
        .Where(static t => t.Namespace == typeof(MshvIoctls).Namespace && t != typeof(HvdefRegisterNames) && !t.IsEnum);

    private static IEnumerable<Type> Structures => Types.Where(static t => t.IsValueType && !t.IsNested
        && t != typeof(HvInstructionBytes) && t != typeof(HvRegisterValue));

    /// <summary>The bits of the deliverability notifications are in the functional specification, and not in the headers.</summary>
    private static IEnumerable<TestCaseData> Constants => Types.Where(static t => t != typeof(HvDeliverabilityNotifications)).SelectMany(static t => t
        .GetFields(BindingFlags.Static | BindingFlags.Public)
        .Where(static f => f.IsLiteral)
        .Select(f => new TestCaseData(f).SetArgDisplayNames($"{t.Name}.{f.Name}")));

    [TestCaseSource(nameof(Structures))]
    public void A_structure_has_the_size_and_the_offsets_of_the_header(Type structure)
    {
        string name = OtherNames.GetValueOrDefault(structure.Name, Snake(structure.Name));
        Assert.Multiple(() =>
        {
            Assert.That(structure.StructLayoutAttribute!.Size is > 0 and var declared ? declared : Marshal.SizeOf(structure), Is.EqualTo(Lines[$"size {name}"]));
            foreach (FieldInfo field in structure.GetFields(BindingFlags.Instance | BindingFlags.Public))
            {
                string member = Snake(field.Name);
                if (!WithoutLine.Contains($"{name}.{member}"))
                {
                    string other = OtherNames.GetValueOrDefault($"{name}.{member}", member);
                    int offset = field.GetCustomAttribute<FieldOffsetAttribute>()?.Value ?? (int)Marshal.OffsetOf(structure, field.Name);
                    Assert.That(offset, Is.EqualTo(Lines[$"offset {name} {other}"]), $"{name}.{other}");
                }
            }
        });
    }

    [TestCaseSource(nameof(Constants))]
    public void A_constant_has_the_value_of_the_header(FieldInfo constant)
    {
        string name = ConstantsWithOtherNames.GetValueOrDefault(constant.Name, constant.Name);
        Assert.That(
            Convert.ToInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture), Is.EqualTo(Lines[$"value {name}"]));
    }

    [Test]
    public void Features_have_the_bits_of_the_header()
    {
        Dictionary<string, long> bits = Lines.Where(static l => l.Key.StartsWith("feature ", StringComparison.Ordinal))
            .ToDictionary(static l => l.Key.Replace("_", string.Empty, StringComparison.Ordinal), static l => l.Value);
        Assert.Multiple(() =>
        {
            AssertBits<HvProcessorFeatures0>("0");
            AssertBits<HvProcessorFeatures1>("1");
            AssertBits<HvXsaveFeatures>("xsave");
        });

        void AssertBits<T>(string bank)
            where T : struct, Enum
        {
            foreach (T feature in Enum.GetValues<T>())
            {
                Assert.That(
                    Convert.ToUInt64(feature, CultureInfo.InvariantCulture),
                    Is.EqualTo((ulong)bits[$"feature {bank} {feature.ToString().ToLowerInvariant()}"]),
                    feature.ToString());
            }
        }
    }

    [Test]
    public void Values_of_registers_have_the_size_of_the_header() =>
        Assert.That(typeof(HvRegisterValue).StructLayoutAttribute!.Size, Is.EqualTo(Lines["size hv_register_value"]));

    private static long Parse(string number) => number.StartsWith("0x", StringComparison.Ordinal)
        ? long.Parse(number.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : long.Parse(number, CultureInfo.InvariantCulture);

    /// <summary>VpIndex: vp_index; HvX64TableRegister: hv_x64_table_register.</summary>
    private static string Snake(string name)
    {
        StringBuilder snake = new();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && snake.Length > 0)
            {
                snake.Append('_');
            }

            snake.Append(char.ToLowerInvariant(c));
        }

        return snake.ToString();
    }
}
