using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Removes from an XML documentation file every member that is not public. Both sides are brought to one form, the name of a
/// member with the simple names of its parameters' types: M:N.T.F(System.String) and N.T.F(string! text) are both N.T.F(String).
/// </summary>
public class KeepPublicDocumentation : Task
{
    private static readonly Dictionary<string, string> Keywords = new Dictionary<string, string>
    {
        ["bool"] = "Boolean", ["byte"] = "Byte", ["sbyte"] = "SByte", ["short"] = "Int16", ["ushort"] = "UInt16", ["int"] = "Int32",
        ["uint"] = "UInt32", ["long"] = "Int64", ["ulong"] = "UInt64", ["nint"] = "IntPtr", ["nuint"] = "UIntPtr", ["float"] = "Single",
        ["double"] = "Double", ["decimal"] = "Decimal", ["char"] = "Char", ["string"] = "String", ["object"] = "Object",
    };

    [Required]
    public string Documentation { get; set; }

    [Required]
    public string[] PublicApi { get; set; }

    public override bool Execute()
    {
        var kept = new HashSet<string>(PublicApi.SelectMany(File.ReadAllLines)
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(OfApi));
        XDocument document = XDocument.Load(Documentation);
        foreach (XElement member in document.Descendants("member").ToArray())
        {
            if (!kept.Contains(OfDocumentation((string)member.Attribute("name"))))
            {
                member.Remove();
            }
        }

        document.Save(Documentation);
        int count = document.Descendants("member").Count();
        Log.LogMessage(MessageImportance.High, "{0}: documentation of {1} public members", Path.GetFileName(Documentation), count);
        if (count == 0 && kept.Count > 0)
        {
            Log.LogError("No member of {0} is public: its form or that of PublicAPI.*.txt has changed.", Documentation);
        }

        return !Log.HasLoggedErrors;
    }

    /// <summary>The form of a line such as <c>static N.T.F(this string! text, int count = 1) -> void</c>.</summary>
    private static string OfApi(string line)
    {
        string text = Regex.Replace(line, @" -> .*$", "");
        text = Regex.Replace(text, @"^((static|const|override|virtual|abstract|readonly|sealed|extern) )+", "");
        text = Regex.Replace(text, @" = .*$", m => text.Contains("(") ? m.Value : "");
        int open = text.IndexOf('(');
        if (open < 0)
        {
            return WithoutGenerics(Regex.Replace(text, @"\.(get|set|init|add|remove)$", ""));
        }

        string name = WithoutGenerics(Regex.Replace(text.Substring(0, open), @"\.(implicit|explicit) operator .*$", ".op_$1"));
        name = name.Replace(".op_implicit", ".op_Implicit").Replace(".op_explicit", ".op_Explicit")
            .Replace(".operator ==", ".op_Equality").Replace(".operator !=", ".op_Inequality");
        IEnumerable<string> parameters = Split(text.Substring(open + 1, text.LastIndexOf(')') - open - 1)).Select(ParameterOfApi);
        string[] parts = name.Split('.');
        bool isConstructor = parts.Length > 1 && parts[parts.Length - 1] == parts[parts.Length - 2];
        name = isConstructor ? name.Substring(0, name.LastIndexOf('.')) + ".#ctor" : name;
        return $"{name}({string.Join(",", parameters)})";
    }

    /// <summary>The form of an identifier such as <c>M:N.T.F``1(System.String,System.Int32)</c>.</summary>
    private static string OfDocumentation(string identifier)
    {
        string text = Regex.Replace(identifier.Substring(2), @"~.*$", "");
        text = Regex.Replace(text, @"System\.Nullable\{([^{}]*)\}", "$1");
        int open = text.IndexOf('(');
        string name = Regex.Replace(open < 0 ? text : text.Substring(0, open), @"`+\d+", "");
        if (open < 0)
        {
            return identifier[0] == 'M' ? name + "()" : name;
        }

        IEnumerable<string> parameters = Split(text.Substring(open + 1, text.LastIndexOf(')') - open - 1))
            .Select(type => SimpleName(Regex.Replace(WithoutGenerics(type.Replace('{', '<').Replace('}', '>')), @"[@&*]$", "")));
        return $"{name}({string.Join(",", parameters)})";
    }

    private static string ParameterOfApi(string parameter)
    {
        string text = Regex.Replace(parameter.Trim(), @" = .*$", "");
        text = Regex.Replace(text, @"^((this|in|out|ref|params|scoped|readonly) )+", "");
        text = WithoutGenerics(text.Substring(0, text.LastIndexOf(' ')));
        return SimpleName(text.Replace("!", "").Replace("?", "").TrimEnd('*'));
    }

    /// <summary>The last part of a type's name. A type parameter is a number in one form and a name in the other: both are T.</summary>
    private static string SimpleName(string type)
    {
        string brackets = Regex.Match(type, @"(\[[,]*\])*$").Value;
        string name = type.Substring(0, type.Length - brackets.Length).Split('.').Last();
        name = Keywords.TryGetValue(name, out string known) ? known : name;
        bool isTypeParameter = name.StartsWith("`", StringComparison.Ordinal) || Regex.IsMatch(name, @"^T([A-Z0-9]\w*)?$");
        return (isTypeParameter ? "T" : name) + brackets;
    }

    private static string WithoutGenerics(string text)
    {
        var result = new StringBuilder();
        int depth = 0;
        foreach (char c in text)
        {
            depth += c == '<' ? 1 : 0;
            if (depth == 0)
            {
                result.Append(c);
            }

            depth -= c == '>' ? 1 : 0;
        }

        return result.ToString();
    }

    private static IEnumerable<string> Split(string parameters)
    {
        int depth = 0;
        int start = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            char c = parameters[i];
            depth += "<{[(".IndexOf(c) >= 0 ? 1 : ">}])".IndexOf(c) >= 0 ? -1 : 0;
            if (c == ',' && depth == 0)
            {
                yield return parameters.Substring(start, i - start);
                start = i + 1;
            }
        }

        if (start < parameters.Length)
        {
            yield return parameters.Substring(start);
        }
    }
}
